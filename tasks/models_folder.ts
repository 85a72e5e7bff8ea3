/** Where `deno task models add` puts models. */
export const MODELS_FOLDER = new URL("../.cache/models", import.meta.url).pathname;
