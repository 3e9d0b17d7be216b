/**
 * All that a child finds in its environment. One thread and no oneDNN: part of what makes results the same everywhere, and of the
 * name of the runtime class.
 */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  HOME: '/tmp',
  LANG: 'C',
  TF_ENABLE_ONEDNN_OPTS: '0',
  TF_NUM_INTRAOP_THREADS: '1',
  TF_NUM_INTEROP_THREADS: '1',
  OMP_NUM_THREADS: '1',
  TF_CPP_MIN_LOG_LEVEL: '2',
  // fewer pools of memory that are kept and not used
  MALLOC_ARENA_MAX: '2',
  UV_THREADPOOL_SIZE: '2',
};
