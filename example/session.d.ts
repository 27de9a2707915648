import 'express-session';

declare module 'express-session' {
  interface SessionData {
    /** The notice of the next page, about what the last form has done. */
    notice?: string;
  }
}
