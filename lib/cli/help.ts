/** What `--help` prints. */
export const help: string = `Usage: express-salesforce-auth <command> [options]

Commands
  emulator     Run an offline Salesforce to log in with; "emulator --help" lists its options
  doctor       Look for wrong settings, here and at Salesforce; "doctor --help" lists its options
  key          Make a private key, and a certificate for Salesforce; "key --help" lists its options

Options
  --help       Show this
  --version    Show the version`;

/** What `emulator --help` prints. */
export const emulatorHelp: string = `Usage: express-salesforce-auth emulator [options]

Runs an offline Salesforce: login pages, OAuth and OpenID Connect endpoints, and a REST API with a few records.
Everything is in memory and fake. Stop it with Ctrl+C.

Options
  --port <number>              Port to listen on (default 4400; 0 takes any free one)
  --host <address>             Address to listen on (default: this machine only, as localhost)
  --callback <url>             Callback URL of the app; repeat it for several
                               (default http://localhost:3000/auth/salesforce/callback)
  --client-id <text>           Consumer Key (default: a fake one, always the same)
  --client-secret <text>       Consumer Secret (default: a fake one, always the same)
  --certificate <path>         Certificate of a client that signs with a key, in PEM; see "key --help"
  --public                     Register a client without a secret, which needs PKCE
  --legacy                     Register an app of before July 2026: PKCE and rotation off, no idle limit
  --pkce                       Require PKCE (with --legacy; today's app does)
  --rotate                     Rotate refresh tokens at every refresh (with --legacy; today's app does)
  --jwt                        Issue JWT-based access tokens
  --api-port <number>          Port of a host for APIs off the instance (default: no such host)
  --my-domain                  Serve the API at a separate host, as a My Domain does
  --https                      Serve over TLS, with a certificate made at the start
  --session-timeout <seconds>  Idle time after which an access token ends (default 7200)
  --dotenv <path>              Write the settings for your app to this file, for node --env-file=<path>
  --help                       Show this`;

/** What `key --help` prints. */
export const keyHelp: string = `Usage: express-salesforce-auth key [options]

Makes an RSA key pair and a self-signed certificate, for the option clientKey and for the app in Salesforce Setup.
It writes two files and overwrites none.

Options
  --out <path>            Path of both files, to which .key and .crt are added (default salesforce)
  --name <text>           Name in the certificate (default "Salesforce client")
  --days <number>         Days until the certificate ends, 1 to 3650 (default 365)
  --bits <number>         Size of the key: 2048, 3072 or 4096 (default 2048)
  --help                  Show this

Exit code: 0 done, 1 a file exists already or cannot be written, 2 not understood`;

/** What `doctor --help` prints. */
export const doctorHelp: string = `Usage: express-salesforce-auth doctor [options]

Reads the settings of your app, finds what would make logins or refreshes fail, and names a fix for each problem.
The doctor presents no refresh token, logs no user in, and prints no secret.

Settings come from SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET (or SALESFORCE_CLIENT_KEY and
SALESFORCE_CLIENT_CERTIFICATE), SALESFORCE_CALLBACK_URL, SALESFORCE_BASE_URL, SALESFORCE_SCOPE and
SALESFORCE_PROMPT_TYPE, or from a module.

Options
  --dotenv <path>         File with variables; a variable that is set already keeps its value
  --config <path>         Module whose default export is the options of salesforceAuth(), or a function that returns
                          them; needed to check the token store and the encryption keys
  --origin <url>          Origin of the app, such as https://app.example.com, if the callback URL is a path
  --tenant <name>         Tenant to ask the configuration function for
  --processes <number>    How many processes run the app, on all machines together
  --rotation              Refresh token rotation is on
  --app                   Ask for an app token as the "Run As" user, and revoke it
  --app-user <username>   Ask for an app token as this user, with the client key, and revoke it
  --json                  Print JSON
  --strict                Count warnings as problems
  --help                  Show this

Exit code: 0 no problem, 1 problems, 2 not understood, or a file cannot be read`;
