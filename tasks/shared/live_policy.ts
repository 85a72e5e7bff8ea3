/** What the live page may do: nothing beyond its own server. onnxruntime compiles WebAssembly and starts threads of its own file. */
export const LIVE_POLICY: string = [
  "default-src 'none'",
  "script-src 'self' blob: 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");
