// What answers clicks: WebGPU or plain JavaScript, the faster one here unless the reader chooses.
import { respondOnGpu, respondOnHost } from "./click_response.ts";

/** Answers that each is timed on. */
const RUNS = 3;

/** @param content of the page @param changed is called when the reader chose another */
export function openEngine(content, changed) {
  const [select, note, computed] = ["engine", "engine-note", "computed"].map((id) =>
    document.getElementById(id)
  );
  const host = respondOnHost(content);
  let current = host, gpu = null;

  function use(engine, why = "") {
    current = engine;
    select.value = engine === host ? "host" : "gpu";
    note.textContent = why;
  }

  function useHost({ message }) {
    use(host, `Plain JavaScript computes here, WebGPU cannot: ${message.split(":")[0]}.`);
  }

  /** WebGPU, or null where it cannot be had, which is said. */
  async function openGpu() {
    try {
      return gpu ??= await respondOnGpu(content);
    } catch (error) {
      useHost(error);
      select.querySelector("[value=gpu]").disabled = true;
      return null;
    }
  }

  select.addEventListener("change", async () => {
    const engine = select.value === "gpu" ? await openGpu() : host;
    if (engine) use(engine);
    changed();
  });
  use(host);

  return {
    /** Unit rows of the eigenvectors, n × C. */
    unit: host.unit,
    name: () => current.name,
    /** Answers, says what computed it and how long it took, and how far plain JavaScript's answer is from it. */
    async respond(node, feature) {
      const started = performance.now();
      let response;
      try {
        response = await current.respond(node, feature);
      } catch (error) {
        useHost(error);
        response = await host.respond(node, feature);
      }
      const time = `${current.name}, ${milliseconds(performance.now() - started)}`;
      const differs = current === host
        ? ""
        : `; plain JavaScript differs by at most ${
          largestDifference(response, await host.respond(node, feature)).toExponential(0)
        }`;
      computed.textContent = time + differs;
      return response;
    },
    /** Times both on a click, and takes the faster one. */
    async useFaster(node, feature) {
      const opened = await openGpu();
      if (!opened) return;
      try {
        const [onGpu, onHost] = [await timed(opened, node, feature), await timed(host, node, feature)];
        use(
          onGpu < onHost ? opened : host,
          `The faster one computes: ${host.name} takes ${milliseconds(onHost)} a click here, ${opened.name} ${
            milliseconds(onGpu)
          }.`,
        );
      } catch (error) {
        useHost(error);
      }
    },
  };
}

/** Median of some answers after a first one, in milliseconds. */
async function timed(engine, node, feature) {
  await engine.respond(node, feature);
  const times = [];
  for (let run = 0; run < RUNS; run++) {
    const started = performance.now();
    await engine.respond(node, feature);
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[Math.floor(RUNS / 2)];
}

function largestDifference(a, b) {
  let difference = 0;
  for (const part of ["similarity", "activation"]) {
    a[part].forEach((value, i) => difference = Math.max(difference, Math.abs(value - b[part][i])));
  }
  return difference;
}

function milliseconds(time) {
  return `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`;
}
