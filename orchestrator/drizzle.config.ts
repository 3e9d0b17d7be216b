import { defineConfig } from 'drizzle-kit';

/**
 * `npx drizzle-kit generate --custom --name=<stage>` adds an empty numbered SQL file to write in. Migrations are written by hand, so
 * there is no schema of tables; the tool insists on a file, and gets one without any.
 */
export default defineConfig({
  dialect: 'postgresql',
  out: './migrations',
  schema: './src/platform/db/violation.ts',
});
