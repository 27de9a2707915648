/** A Lua file is imported as its text. The build and the transform of the tests do that. */
declare module '*.lua' {
  const text: string;
  export default text;
}
