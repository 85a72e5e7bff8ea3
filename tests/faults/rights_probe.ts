/** Prints what this process may do, and whether the network answers or is denied. */
const kinds = ["read", "write", "net", "run", "ffi", "env", "sys"] as const;
const states = Object.fromEntries(kinds.map((name) => [name, Deno.permissions.querySync({ name }).state]));
const reach = await Deno.connect({ hostname: "127.0.0.1", port: 9 }).then(
  (connection) => (connection.close(), "reached"),
  (error) => error instanceof Deno.errors.NotCapable ? "denied" : "reached",
);
console.log(JSON.stringify({ ...states, reach }));
