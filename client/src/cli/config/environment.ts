/** The environment of this process; read here and handed on. */
export const environment = (): NodeJS.ProcessEnv => process.env;
