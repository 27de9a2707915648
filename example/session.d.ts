import 'express-session';

declare module 'express-session' {
  interface SessionData {
    /** What the next page says about what has just been done. */
    notice?: string;
  }
}
