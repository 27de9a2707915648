/** Express 4 under a name of its own; for the tests it has the same types. */
declare module 'express4' {
  import express from 'express';
  export default express;
}
