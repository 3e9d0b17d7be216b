import type { Logger } from 'pino';
import {
  ChainDisagreementError,
  type ChainNode,
  ChainUnavailableError,
  type FreshBlockhash,
} from './chain-node.js';

/** How far a node that is well may lag behind, in blocks: a blockhash counts as good for so long more than any node says. */
const LAG_BLOCKS = 150n;
/** On whose word something irreversible may be done. */
const ENOUGH = 2;

/** The nodes of one cluster, of which one may be away, late or lying. */
export class ChainNodes {
  /** Those that were asked for their genesis hash since they last failed. */
  private readonly checked = new Set<ChainNode>();

  constructor(
    private readonly nodes: readonly ChainNode[],
    private readonly genesisHash: string,
    private readonly log: Logger,
  ) {
    if (nodes.length < ENOUGH) throw new RangeError('two nodes at least, or one of them could lie');
  }

  /** What each node answers, in their order; null from one that fails. */
  each<T>(ask: (node: ChainNode) => Promise<T>): Promise<(T | null)[]> {
    return Promise.all(
      this.nodes.map(async (node) => {
        try {
          return await this.asked(node, ask);
        } catch (err) {
          this.log.warn({ err, node: node.name }, 'chain node failed');
          return null;
        }
      }),
    );
  }

  /** The first answer that there is, from the node at `from` on. For what is checked later anyhow. @throws ChainUnavailableError */
  async any<T>(ask: (node: ChainNode) => Promise<T>, from = 0): Promise<T> {
    const causes: unknown[] = [];
    for (let tried = 0; tried < this.nodes.length; tried += 1) {
      const node = this.nodes[(from + tried) % this.nodes.length];
      if (node === undefined) break;
      try {
        return await this.asked(node, ask);
      } catch (cause) {
        causes.push(cause);
      }
    }
    throw new ChainUnavailableError('no node answers', { cause: causes[0] });
  }

  /**
   * What two nodes say alike, `nameOf` telling answers apart. @throws ChainUnavailableError when fewer than two answer,
   * ChainDisagreementError when no two agree
   */
  async agreed<T>(ask: (node: ChainNode) => Promise<T>, nameOf: (answer: T) => string): Promise<T> {
    const answers = (await this.each(ask)).flatMap((answer) =>
      answer === null ? [] : [{ answer }],
    );
    if (answers.length < ENOUGH)
      throw new ChainUnavailableError(`${answers.length} of ${this.nodes.length} nodes answer`);
    const names = new Map<string, number>();
    for (const { answer } of answers) {
      const name = nameOf(answer);
      const count = (names.get(name) ?? 0) + 1;
      if (count >= ENOUGH) return answer;
      names.set(name, count);
    }
    throw new ChainDisagreementError('nodes say different things of the finalized chain');
  }

  /** The newest slot that two nodes call finalized. @throws ChainUnavailableError */
  async finalizedSlot(): Promise<bigint> {
    const slots = (await this.each((node) => node.finalizedSlot())).filter((slot) => slot !== null);
    const second = slots.toSorted((a, b) => Number(b - a))[ENOUGH - 1];
    if (second === undefined)
      throw new ChainUnavailableError(`${slots.length} of ${this.nodes.length} nodes answer`);
    return second;
  }

  /**
   * A blockhash to sign with. How long it is good is not left to the node that gave it: one that says too little would have a
   * transaction given up while it can still land.
   */
  async blockhash(from = 0): Promise<FreshBlockhash> {
    const { blockhash, lastValidHeight } = await this.any((node) => node.blockhash(), from);
    const others = (await this.each((node) => node.blockhash())).filter((word) => word !== null);
    if (others.length < ENOUGH)
      throw new ChainUnavailableError(`${others.length} of ${this.nodes.length} nodes answer`);
    const heights = [lastValidHeight, ...others.map((word) => word.lastValidHeight)];
    const latest = heights.reduce((most, height) => (height > most ? height : most));
    return { blockhash, lastValidHeight: latest + LAG_BLOCKS };
  }

  private async asked<T>(node: ChainNode, ask: (node: ChainNode) => Promise<T>): Promise<T> {
    try {
      if (!this.checked.has(node)) {
        const genesisHash = await node.genesisHash();
        if (genesisHash !== this.genesisHash)
          throw new ChainUnavailableError(
            `${node.name} is of another cluster, whose genesis hash is ${genesisHash}`,
          );
        this.checked.add(node);
      }
      return await ask(node);
    } catch (cause) {
      // It may come back as another one.
      this.checked.delete(node);
      throw cause;
    }
  }
}
