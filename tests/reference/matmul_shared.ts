/** The product does not depend on where its blocks are kept. */
export { matmul as matmulShared } from "./matmul.ts";
