/** Tokens of the same size as Salesforce's, for applications whose session is made without a login. */
export const fakeTokens = {
  accessToken: `00D000000000001!AQ.${'a'.repeat(93)}`,
  refreshToken: `5Aep${'r'.repeat(83)}`,
  idToken: `eyJ${'i'.repeat(700)}`,
  instanceUrl: 'http://localhost',
  scope: 'openid id api refresh_token',
  issuedAt: 1_700_000_000_000,
};

/** A user of the same size as the user that this package stores in the session after a login at the emulator. */
export const fakeUser = {
  organizationId: '00DFAKE000000012DA',
  userId: '005FAKE00000001YDA',
  username: 'ada@acme.example',
  displayName: 'Ada Fake',
  email: 'ada@acme.example',
  emailVerified: true,
  firstName: 'Ada',
  lastName: 'Fake',
  userType: 'STANDARD',
  language: 'en_US',
  locale: 'en_US',
  timezone: 'Europe/Paris',
};
