'use strict';
// What a service needs of the platform, over its plain HTTP API and with nothing but Node's standard library:
// register and renew, read and follow settings, find others by name, report how calls went, leave without losing a
// request. docs/registry.md and docs/settings.md describe each call.

const { readFileSync } = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');

const LEASE_SECONDS = 15;
const CALL_TIMEOUT_MS = 2000;
const RETRY_MS = 1000;
const SILENCE_MS = 45_000; // Streams say something every 15 s; three times that is a dead connection.

class Platform {
  constructor(environment = process.env) {
    this.address = environment.GROUNDWORK_ADDRESS ?? 'http://127.0.0.1:7400';
    this.namespace = environment.GROUNDWORK_NAMESPACE ?? 'default';
    this.service = environment.GROUNDWORK_SERVICE;
    this.id = environment.GROUNDWORK_INSTANCE_ID;
    this.keyFile = environment.GROUNDWORK_ACCESS_KEY_FILE;
    this.caller = `${this.namespace}/${this.service}/${this.id}`;
    this.incarnation = Date.now(); // A late goodbye of the process before cannot remove this one.
    this.ending = new AbortController();
    this.lists = new Map(); // By service: the last list that is to be believed.
    this.turns = new Map();
    this.outcomes = new Map();
  }

  /** Calls the API; throws for an answer that is not good, with the platform's own words. */
  async request(method, path, { body, signal = AbortSignal.timeout(CALL_TIMEOUT_MS) } = {}) {
    // Read each time: keys are replaced by replacing the file.
    const key = this.keyFile ? readFileSync(this.keyFile, 'utf8').trim() : undefined;
    const answer = await fetch(`${this.address}/groundwork/v1${path}`, {
      method,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: {
        'Groundwork-Caller': this.caller,
        ...(key && { Authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
    });
    if (answer.ok) return answer;
    const problem = await answer.json().catch(() => ({}));
    throw new Error(`${method} ${path}: ${answer.status} ${problem.code ?? ''} ${problem.detail ?? ''}`);
  }

  /** Registers this instance and keeps its lease. Returns when it is registered; the rest goes on by itself. */
  async join(port, version) {
    const instance = {
      namespace: this.namespace, service: this.service, id: this.id, host: '127.0.0.1', port, version,
      leaseSeconds: LEASE_SECONDS, incarnation: this.incarnation, metadata: { language: 'node' },
    };
    const register = () => this.request('PUT', '/registry/instances', { body: instance });
    await this.#untilDone('register', register);
    this.#loop('renew', async () => {
      await sleep((LEASE_SECONDS * 1000) / 3, undefined, { signal: this.ending.signal });
      const renewal = {
        namespace: this.namespace, service: this.service, id: this.id, incarnation: this.incarnation,
      };
      const answer = await this.request('PUT', '/registry/renewals', { body: { renewals: [renewal] } });
      const { refused } = await answer.json();
      if (refused.some(({ code }) => code === 'instance_not_found')) await register();
    });
    this.#loop('report', async () => {
      await sleep(1000, undefined, { signal: this.ending.signal });
      await this.#report();
    });
  }

  /**
   * Leaves: tells callers and waits until they know, lets the given function finish what is under way, deregisters.
   */
  async leave(finish) {
    const path = `/registry/instances/${this.namespace}/${this.service}/${this.id}`;
    const signal = AbortSignal.timeout(6000);
    await this.request('POST', `${path}/drain?wait=5s`, { signal }).catch(warn('drain'));
    await finish();
    this.ending.abort();
    await this.request('DELETE', `${path}?incarnation=${this.incarnation}`).catch(warn('deregister'));
  }

  /** Gives the settings of a group, and again whenever some have changed: `changed(Map of dataId to setting)`. */
  async followSettings(group, changed) {
    const path = `/settings/${this.namespace}`;
    const query = `group=${group}&instance=${encodeURIComponent(`${this.service}/${this.id}`)}`;
    const settings = new Map();
    let revision = 0;
    const take = (snapshot) => {
      if (snapshot.removed === undefined) settings.clear();
      for (const name of snapshot.removed ?? []) settings.delete(name.slice(name.indexOf('/') + 1));
      for (const setting of snapshot.settings) settings.set(setting.dataId, setting);
      revision = snapshot.revision;
      changed(settings);
    };
    await this.#untilDone('settings', async () => take(await (await this.request('GET', `${path}?${query}`)).json()));
    this.#loop('settings', async () => {
      await this.#stream(`${path}/watch?${query}&after=${revision}`, (event, data) => {
        if (event === 'settings') take(data);
      });
    });
  }

  /** Keeps the list of a service, by one watch. */
  watch(service) {
    this.#loop('watch', () => this.#stream(
      `/registry/watch?namespace=${this.namespace}&service=${service}`,
      (event, list) => {
        if (event !== 'service') return;
        // Empty without a reason: a registry that has just started knows nothing. The list from before is better.
        if (list.instances.length === 0 && !list.emptyReason && this.lists.has(service)) return;
        this.lists.set(service, list);
      }));
  }

  /** Calls a service by name; tries a second instance when the first cannot be reached. */
  async call(service, path, timeoutMs = CALL_TIMEOUT_MS) {
    const until = performance.now() + timeoutMs;
    let failure = new Error(`there is no instance of ${service} to call`);
    for (const instance of this.#choose(service).slice(0, 2)) {
      const left = Math.floor(until - performance.now());
      if (left <= 0) break;
      const host = instance.host.includes(':') ? `[${instance.host}]` : instance.host;
      try {
        const answer = await fetch(`${instance.scheme}://${host}:${instance.port}${path}`, {
          signal: AbortSignal.timeout(left),
          headers: { 'Groundwork-Caller': this.caller, 'Groundwork-Deadline-Ms': String(left) },
        });
        this.#note(service, instance.id, 'answered');
        return answer;
      } catch (fault) {
        this.#note(service, instance.id, fault.name === 'TimeoutError' ? 'no-answer' : 'connect-failed');
        failure = fault;
      }
    }
    throw failure;
  }

  /** Those that traffic may go to, each time another first. */
  #choose(service) {
    const list = this.lists.get(service);
    const callable = (list?.instances ?? []).filter(({ status, weight, health }) =>
      status === 'up' && weight > 0 && (health?.state !== 'unhealthy' || list.protection));
    const turn = (this.turns.get(service) ?? 0) + 1;
    this.turns.set(service, turn);
    return callable.map((_, at) => callable[(turn + at) % callable.length]);
  }

  #note(service, id, outcome) {
    const key = JSON.stringify([service, id, outcome]);
    this.outcomes.set(key, (this.outcomes.get(key) ?? 0) + 1);
  }

  async #report() {
    if (this.outcomes.size === 0) return;
    const outcomes = [...this.outcomes].map(([key, count]) => {
      const [service, id, outcome] = JSON.parse(key);
      return { namespace: this.namespace, service, id, outcome, count };
    });
    this.outcomes.clear();
    await this.request('POST', '/registry/outcomes', { body: { caller: this.caller, outcomes } });
  }

  /** Reads server-sent events; throws when the connection ends or is silent for too long. */
  async #stream(path, heard) {
    const silence = new AbortController();
    const watchdog = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const signal = AbortSignal.any([this.ending.signal, silence.signal]);
      const answer = await this.request('GET', path, { signal });
      let text = '';
      for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
        watchdog.refresh();
        const events = (text + piece).split('\n\n');
        text = events.pop();
        for (const event of events) {
          const lines = event.split('\n');
          const values = (name) => lines
            .filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
          const data = values('data').join('\n');
          if (data) heard(values('event')[0], JSON.parse(data));
        }
      }
      throw new Error('the platform ended the stream');
    } finally {
      clearTimeout(watchdog);
    }
  }

  /** Repeats a step until the process leaves. */
  async #loop(what, step) {
    while (!this.ending.signal.aborted) await this.#untilDone(what, step);
  }

  /** Tries a step until it succeeds, or the process leaves; failures are told. */
  async #untilDone(what, step) {
    while (!this.ending.signal.aborted) {
      try {
        await step();
        return;
      } catch (fault) {
        if (this.ending.signal.aborted) return;
        warn(what)(fault);
      }
      await sleep(RETRY_MS, undefined, { signal: this.ending.signal }).catch(() => {});
    }
  }
}

function warn(what) {
  return (fault) => console.warn(`${what}: ${fault.cause?.message ?? fault.message}`);
}

module.exports = { Platform };
