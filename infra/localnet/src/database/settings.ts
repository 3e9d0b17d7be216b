/**
 * The server's settings: durable (an acknowledged commit survives a crash), reachable from this machine only, and
 * sized for a small one.
 */
export function serverSettings(port: number): readonly string[] {
  return Object.entries({
    port: String(port),
    listen_addresses: '127.0.0.1',
    // No socket file: its path would have to be short and its folder private.
    unix_socket_directories: '',
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    max_connections: '200',
    shared_buffers: '256MB',
    work_mem: '8MB',
    maintenance_work_mem: '64MB',
    wal_buffers: '16MB',
    min_wal_size: '128MB',
    max_wal_size: '1GB',
    checkpoint_timeout: '15min',
    // A query that takes a second core takes it from the worker or the orchestrator beside it.
    max_parallel_workers_per_gather: '0',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] %d ',
    logging_collector: 'off',
    // A client that was killed leaves its locks behind until the server notices; notice within seconds.
    tcp_keepalives_idle: '5',
    tcp_keepalives_interval: '5',
    tcp_keepalives_count: '2',
    client_connection_check_interval: '5s',
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
