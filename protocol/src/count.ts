import { z } from 'zod';

/** Largest count a worker may state: what a PostgreSQL integer holds. One that is larger would fail a whole batch of others'. */
export const MAX_COUNT = 2 ** 31 - 1;

/** A number of steps, lines or the like. */
export const Count = z.int().min(0).max(MAX_COUNT);

/** Which of the leases of a task this is; the first is 1. */
export const Fence = z.int().min(1).max(MAX_COUNT);
