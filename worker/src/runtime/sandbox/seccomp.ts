import {
  type Instruction,
  assemble,
  give,
  load,
  unlessEqual,
  whenAnyBit,
  whenAtLeast,
  whenEqual,
} from './bpf.js';

/** System calls of x86-64 that a computation has no use for and an attacker has; all answer EPERM. */
export const DENIED_CALLS = {
  // mounts and roots
  mount: 165,
  umount2: 166,
  pivot_root: 155,
  chroot: 161,
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  fspick: 433,
  mount_setattr: 442,
  // other processes
  ptrace: 101,
  process_vm_readv: 310,
  process_vm_writev: 311,
  process_madvise: 440,
  kcmp: 312,
  pidfd_getfd: 438,
  migrate_pages: 256,
  move_pages: 279,
  // namespaces
  unshare: 272,
  setns: 308,
  // the kernel's larger surfaces
  add_key: 248,
  request_key: 249,
  keyctl: 250,
  bpf: 321,
  perf_event_open: 298,
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
  userfaultfd: 323,
  fanotify_init: 300,
  fanotify_mark: 301,
  open_by_handle_at: 304,
  name_to_handle_at: 303,
  lookup_dcookie: 212,
  // memory that outlives a mapping and so escapes the limits on processes
  memfd_create: 319,
  memfd_secret: 447,
  shmget: 29,
  shmat: 30,
  msgget: 68,
  semget: 64,
  mq_open: 240,
  // the machine
  kexec_load: 246,
  kexec_file_load: 320,
  reboot: 169,
  init_module: 175,
  finit_module: 313,
  delete_module: 176,
  create_module: 174,
  query_module: 178,
  get_kernel_syms: 177,
  settimeofday: 164,
  clock_settime: 227,
  clock_adjtime: 305,
  adjtimex: 159,
  swapon: 167,
  swapoff: 168,
  acct: 163,
  quotactl: 179,
  quotactl_fd: 443,
  syslog: 103,
  iopl: 172,
  ioperm: 173,
  modify_ldt: 154,
  sethostname: 170,
  setdomainname: 171,
  vhangup: 153,
  uselib: 134,
  sysfs: 139,
  _sysctl: 156,
  nfsservctl: 180,
  // device nodes
  mknod: 133,
  mknodat: 259,
} as const;

const CALL = { clone: 56, clone3: 435, personality: 135, socket: 41, ioctl: 16 } as const;

const ARCH_X86_64 = 0xc000003e;
/** Calls of the x32 interface carry this bit; they would pass a filter that knows only the plain numbers. */
const X32_BIT = 0x4000_0000;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
const NEW_NAMESPACE = 0x7e02_0000;
const AF_UNIX = 1;
/** Pushes characters into a terminal, as if somebody had typed them. */
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;

const ALLOW = give(0x7fff_0000);
const KILL = give(0x8000_0000);
const answer = (errno: number) => give(0x0005_0000 | errno);
const EPERM = answer(1);
const ENOSYS = answer(38);

/** Offsets in `struct seccomp_data`. */
const NUMBER = 0;
const ARCH = 4;
const argument = (index: number) => 16 + index * 8; // the low half; the calls below read no more than that

/** The filter: what is listed is refused, the rest is allowed. The namespaces and limits around it bound what the rest can do. */
export function seccompProgram(): readonly Instruction[] {
  return [
    load(ARCH),
    ...unlessEqual(ARCH_X86_64, [KILL]),
    load(NUMBER),
    ...whenAtLeast(X32_BIT, [EPERM]),
    ...Object.values(DENIED_CALLS).flatMap((call) => whenEqual(call, [EPERM])),
    // its flags lie in memory, where no filter can see them; told that it does not exist, libc takes clone
    ...whenEqual(CALL.clone3, [ENOSYS]),
    ...whenEqual(CALL.clone, [load(argument(0)), ...whenAnyBit(NEW_NAMESPACE, [EPERM]), ALLOW]),
    // 0 sets the usual one and 0xffffffff asks; others switch protections off
    ...whenEqual(CALL.personality, [
      load(argument(0)),
      ...whenEqual(0, [ALLOW]),
      ...whenEqual(0xffff_ffff, [ALLOW]),
      EPERM,
    ]),
    // a network namespace does not hold back every family: VSOCK reaches the machine around a virtual machine
    ...whenEqual(CALL.socket, [load(argument(0)), ...unlessEqual(AF_UNIX, [EPERM]), ALLOW]),
    ...whenEqual(CALL.ioctl, [
      load(argument(1)),
      ...whenEqual(TIOCSTI, [EPERM]),
      ...whenEqual(TIOCLINUX, [EPERM]),
      ALLOW,
    ]),
    ALLOW,
  ];
}

/** The filter for this machine, or null where its system calls have other numbers. */
export function seccompFilter(arch: string = process.arch): Buffer | null {
  return arch === 'x64' ? assemble(seccompProgram()) : null;
}
