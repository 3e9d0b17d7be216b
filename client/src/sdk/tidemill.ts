import { Accounts } from './account.js';
import { Admin } from './admin.js';
import { type Api, openApi } from './api.js';
import { Artifacts } from './artifacts.js';
import { type Clock, realClock } from './clock.js';
import { Epochs } from './epochs.js';
import { Jobs } from './jobs.js';
import { Keys } from './keys.js';
import { type Login, type LoginSigner, logIn, SignerCredentials } from './login.js';
import { DEFAULT_RETRY, type RetryPolicy } from './retry.js';
import { Trail } from './trail.js';
import { type Credentials, NOBODY, Transport } from './transport.js';
import { Webhooks } from './webhooks.js';
import { Workers } from './workers.js';

/** Who asks; give one of the three, or none for what is public. */
export interface Identity {
  /** An API key. */
  readonly key?: string;
  /** The token of a login. */
  readonly token?: string;
  /** A key pair, which logs in when needed. */
  readonly signer?: LoginSigner;
  /** With a signer: a login from before, used as long as it is good. */
  readonly login?: Login;
  /** With a signer: sees every new login, to keep it for the next time. */
  readonly onLogin?: (login: Login) => void;
}

export interface TidemillOptions extends Identity {
  /** Address of the orchestrator, such as `http://127.0.0.1:7070`. */
  readonly url: string;
  /** The host that login messages must name. Default: host and port of `url`. */
  readonly audience?: string;
  /** How long to wait for the headers of an answer. Default: 30 s. */
  readonly deadlineMs?: number;
  readonly retry?: Partial<RetryPolicy>;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
}

/** A Tidemill network, as its submitters see it. */
export class Tidemill {
  readonly url: string;
  readonly jobs: Jobs;
  readonly artifacts: Artifacts;
  readonly account: Accounts;
  readonly keys: Keys;
  readonly webhooks: Webhooks;
  readonly workers: Workers;
  readonly trail: Trail;
  readonly epochs: Epochs;
  readonly admin: Admin;
  private readonly anonymous: Api;
  private readonly audience: string;

  constructor(options: TidemillOptions) {
    const { origin, host, pathname } = new URL(options.url);
    this.url = (origin + pathname).replace(/\/+$/, '');
    this.audience = options.audience ?? host;
    const clock = options.clock ?? realClock;
    const as = (credentials: Credentials) =>
      new Transport({
        credentials,
        clock,
        // Looked up at the call, so that a program may wrap the global one.
        fetch: options.fetch ?? ((input, init) => fetch(input, init)),
        retry: { ...DEFAULT_RETRY, ...options.retry },
        deadlineMs: options.deadlineMs ?? 30_000,
      });
    this.anonymous = openApi(this.url, as(NOBODY));
    const transport = as(this.credentials(options, clock));
    const api = openApi(this.url, transport);
    this.jobs = new Jobs(api, transport, this.url, clock);
    this.artifacts = new Artifacts(api, transport, this.url, clock);
    this.account = new Accounts(api);
    this.keys = new Keys(api);
    this.webhooks = new Webhooks(api);
    this.workers = new Workers(api);
    this.trail = new Trail(api, transport, this.url);
    this.epochs = new Epochs(api, transport, this.url);
    this.admin = new Admin(api);
  }

  /** Signs a login message for this network and returns the token it is exchanged for. */
  login(signer: LoginSigner): Promise<Login> {
    return logIn(this.anonymous, signer, this.audience);
  }

  private credentials(identity: Identity, clock: Clock): Credentials {
    const { signer, onLogin } = identity;
    if (signer !== undefined) {
      const login = async () => {
        const made = await this.login(signer);
        onLogin?.(made);
        return made;
      };
      return new SignerCredentials(login, clock, identity.login);
    }
    const text = identity.key ?? identity.token;
    if (text === undefined) return NOBODY;
    return { header: async () => `Bearer ${text}`, renew: async () => false };
  }
}
