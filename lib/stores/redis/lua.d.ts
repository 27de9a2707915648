/** A file of Lua is its text: the build and the tests' transform see to that. */
declare module '*.lua' {
  const text: string;
  export default text;
}
