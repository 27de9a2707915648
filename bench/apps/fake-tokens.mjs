/** What Salesforce answers at a login, in size: for applications that are given their session without one. */
export const fakeTokens = {
  accessToken: `00D000000000001!AQ.${'a'.repeat(93)}`,
  refreshToken: `5Aep${'r'.repeat(83)}`,
  idToken: `eyJ${'i'.repeat(700)}`,
  instanceUrl: 'http://localhost',
  scope: 'openid id api refresh_token',
  issuedAt: 1_700_000_000_000,
};

export const fakeUser = {
  organizationId: '00D000000000001AAA',
  userId: '005000000000001AAA',
  username: 'ada@example.com',
  displayName: 'Ada Lovelace',
  email: 'ada@example.com',
};
