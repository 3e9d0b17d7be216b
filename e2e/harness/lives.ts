import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningProcess } from '@tidemill/localnet';
import type { Seats } from './seats.js';

/** A life is given up when its point is not reached within this; the point gets another life. */
const REACHED_WITHIN_MS = 30_000;
const MAX_LIVES_OF_POINT = 6;

interface Wanted {
  readonly point: string;
  readonly nth: number;
  lives: number;
}

/** Ends the processes of seats one after another: each at a point that was named for it, or at any moment. */
export class Lives {
  /** How many lives ended at each point. */
  readonly hits = new Map<string, number>();
  kills = 0;
  private readonly wanted: Wanted[];

  constructor(
    private readonly seats: Seats,
    points: readonly { readonly point: string; readonly nth: number }[],
    private readonly random: () => number,
  ) {
    this.wanted = points.map((one) => ({ ...one, lives: 0 }));
  }

  /** Goes on in one seat until every point was reached and there were so many kills in all; the seat is empty then. */
  async run(seat: number, kills: number): Promise<void> {
    while (this.wanted.length > 0 || this.kills < kills) {
      const wanted = this.wanted.shift();
      this.kills += 1;
      if (wanted === undefined) await this.endAtAnyMoment(seat);
      else if (!(await this.endAt(seat, wanted))) this.again(wanted);
    }
  }

  private again(wanted: Wanted): void {
    wanted.lives += 1;
    if (wanted.lives === MAX_LIVES_OF_POINT) throw new Error(`${wanted.point} was never reached`);
    this.wanted.push(wanted);
  }

  private async endAt(seat: number, { point, nth, lives }: Wanted): Promise<boolean> {
    const before = (await this.seats.log(seat)).length;
    // The first passes may be rare: another life is content with the first one.
    const pass = lives === 0 ? nth : 1;
    let life: RunningProcess | undefined;
    try {
      life = await this.seats.start(seat, {
        NODE_ENV: 'test',
        TIDEMILL_FAULT_POINT: `${point}:${pass}`,
      });
      await Promise.race([life.ended, sleep(REACHED_WITHIN_MS)]);
    } catch {
      // It ended before it took requests, which is where some points are.
    }
    life?.signal('SIGKILL');
    await life?.ended;
    const isHit = (await this.seats.log(seat)).slice(before).includes(`fault point ${point}\n`);
    if (isHit) this.hits.set(point, (this.hits.get(point) ?? 0) + 1);
    return isHit;
  }

  private async endAtAnyMoment(seat: number): Promise<void> {
    const life = await this.seats.start(seat);
    await sleep(this.random() * 600);
    life.signal('SIGKILL');
    await life.ended;
  }
}
