import { defineConfig } from 'drizzle-kit';

/** `npx drizzle-kit generate --custom --name=<stage>` adds an empty numbered SQL file to write in. */
export default defineConfig({ dialect: 'postgresql', out: './migrations' });
