/** HTTP requests of the model download: redirects followed one by one, waits that servers ask for, errors as sentences. */
import { reasonOf } from "../files/atomic_write.ts";

/** What a request may need. */
export interface RequestOptions {
  /** Default GET. */
  method?: "GET" | "HEAD";
  /** Headers of every hop; `authorization` goes to the first origin only. */
  headers?: Record<string, string>;
  /** Ends the redirects at this response, when it says yes. */
  isFinal?(response: Response): boolean;
  /** Given up when it aborts. */
  signal?: AbortSignal;
  /** Waits between two tries, milliseconds; given by tests only. */
  pause?(milliseconds: number): Promise<void>;
}

/** An answer that is an error, as a sentence. */
export class HttpError extends Error {
  /** What kind of error it is. */
  override name = "HttpError";
  /** The status, 404 for instance. */
  status: number;
  /** The hub's own word for it, as "EntryNotFound"; "" when it has none. */
  code: string;

  /**
   * An answer's status as a sentence.
   *
   * @param message one sentence
   * @param status of the answer
   * @param code of the hub
   */
  constructor(message: string, status: number, code: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const MAX_REDIRECTS = 10;
const MAX_TRIES = 5;
/** A longer wait is not waited: it is an error. */
const MAX_SECONDS = 120;
/** Milliseconds in which an answer has to begin. */
const ANSWER_WITHIN = 30_000;

/** Waits by the clock. */
export function pauseByClock(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Sends a request and follows its redirects; a server that is busy (429, 5xx) is asked again after the time it says.
 *
 * HTTP_PROXY, HTTPS_PROXY and NO_PROXY are read by Deno's fetch itself.
 *
 * @returns a response that is no error; its body is open
 * @throws HttpError 'https://… answers 404 (not found): check the id, the revision and the file name.'
 * @throws Error "Cannot reach hub.example: …: check the network, HTTPS_PROXY and HF_ENDPOINT; …"
 */
export async function sendRequest(url: string, options: RequestOptions = {}): Promise<Response> {
  const { pause = pauseByClock } = options;
  for (let tries = 1;; tries++) {
    const response = await followRedirects(url, options);
    if (response.status < 400) return response;
    await response.body?.cancel();
    const { status } = response, isBusy = status === 429 || status >= 500;
    const seconds = waitOf(response.headers.get("retry-after")) ?? 2 ** (tries - 1);
    if (isBusy && tries < MAX_TRIES && seconds <= MAX_SECONDS) await pause(1000 * seconds);
    else throw answerError(url, response, seconds);
  }
}

async function followRedirects(url: string, options: RequestOptions): Promise<Response> {
  const { method = "GET", isFinal = () => false, signal } = options;
  const first = parseUrl(url), headers = new Headers(options.headers);
  let at = first;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    if (at.origin !== first.origin) headers.delete("authorization");
    const response = await reach(at, { method, headers, signal, redirect: "manual" });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || location === null || isFinal(response)) {
      return response;
    }
    await response.body?.cancel();
    const next = parseUrl(location, at);
    if (at.protocol === "https:" && next.protocol !== "https:") {
      throw new Error(`${at} redirects to ${next}, which is not encrypted: give another address.`);
    }
    at = next;
  }
  throw new Error(`${url} redirects more than ${MAX_REDIRECTS} times: give another address.`);
}

async function reach(url: URL, init: RequestInit): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new Error(`no answer in ${ANSWER_WITHIN / 1000} s`)),
    ANSWER_WITHIN,
  );
  try {
    return await fetch(url, {
      ...init,
      signal: init.signal ? AbortSignal.any([init.signal, late.signal]) : late.signal,
    });
  } catch (error) {
    throw new Error(
      `Cannot reach ${url.host}: ${shortReason(error)}: check the network, HTTPS_PROXY and HF_ENDPOINT; ` +
        "HF_HUB_OFFLINE=1 takes what is in the cache.",
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}

function parseUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base);
  if (url?.protocol === "https:" || url?.protocol === "http:") return url;
  throw new Error(`"${text}" is not an http address: give one that begins with https://.`);
}

/** Seconds of a Retry-After header, a number or a date. */
function waitOf(header: string | null): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header.trim())) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

function answerError(url: string, { status, headers }: Response, seconds: number): HttpError {
  const code = headers.get("x-error-code") ?? "";
  return new HttpError(`${url} answers ${status}${meaning(status, code, seconds)}.`, status, code);
}

function meaning(status: number, code: string, seconds: number): string {
  if (code === "GatedRepo" || status === 403) {
    return " (gated): accept the model's license on its page, then set HF_TOKEN to an access token of yours";
  }
  if (code === "RevisionNotFound") return " (no such revision): check --revision";
  if (status === 401) {
    return " (not allowed): check the id, for the hub answers so for what does not exist, or set HF_TOKEN";
  }
  if (status === 404) return " (not found): check the id, the revision and the file name";
  if (status === 429) return ` (too many requests): try again in ${seconds} s`;
  return status >= 500 ? " (a fault of the server): try again later or set HF_ENDPOINT to a mirror" : "";
}

/** The cause of a failed fetch without the address, which the sentence has. */
export function shortReason(error: unknown): string {
  return reasonOf(error).replace(/^error sending request[^:]*\([^)]*\): /, "").replace(/\s+/g, " ").trim();
}
