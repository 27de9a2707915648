/** What `--help` prints. */
export const help: string = `Usage: express-salesforce-auth <command> [options]

Commands
  emulator     Run an offline Salesforce to log in with; "emulator --help" lists its options

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
  --public                     A client without a secret, which needs PKCE
  --pkce                       Require PKCE
  --rotate                     Rotate refresh tokens at every refresh
  --jwt                        Issue JWT-based access tokens
  --my-domain                  Serve the API at a host of its own, as a My Domain does
  --session-timeout <seconds>  Idle time after which an access token ends (default 7200)
  --help                       Show this`;
