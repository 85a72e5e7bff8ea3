import { assertEquals } from "@std/assert";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

Deno.test({
  name: "Ctrl-C ends a task with one sentence on what is kept, and exit code 130",
  ignore: Deno.build.os === "windows", // a process cannot be sent SIGINT there
  fn: () =>
    inTemporaryFolder(async (dir) => {
      const project = new URL("../..", import.meta.url).href;
      await Deno.writeTextFile(
        `${dir}/task.ts`,
        `import { runTask } from "${project}src/cli/options.ts";
         import { openFolders } from "${project}tasks/shared/task_folders.ts";
         await runTask(async () => {
           if (Deno.args.length > 0) await openFolders({ "--cache": Deno.args[0] });
           console.log("ready");
           await new Promise((resolve) => setTimeout(resolve, 600_000));
         });`,
      );
      const interrupted = async (args: string[]) => {
        const child = new Deno.Command(Deno.execPath(), {
          args: ["run", "--quiet", "--no-check", "-A", `${dir}/task.ts`, ...args],
          stdout: "piped",
          stderr: "piped",
        }).spawn();
        const reader = child.stdout.getReader();
        await reader.read(); // the first line: it listens by now
        child.kill("SIGINT");
        const [{ code }, said] = await Promise.all([child.status, new Response(child.stderr).text()]);
        await reader.cancel();
        return { code, said };
      };
      assertEquals(await interrupted([]), { code: 130, said: "Stopped.\n" });
      assertEquals(await interrupted([`${dir}/cache`]), {
        code: 130,
        said:
          `Stopped: what was finished is kept in ${dir}/cache, and the same command goes on from there.\n`,
      });
    }),
});
