/** The product does not depend on how B is laid out. */
export { matmul as matmulTextures } from "./matmul.ts";
