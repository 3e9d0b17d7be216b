import { getSolanaErrorFromTransactionError } from '@solana/errors';
import type { FailedTransactionMetadata } from 'litesvm';

type LiteSvmError = ReturnType<FailedTransactionMetadata['err']>;
/** A transaction's error as the RPC writes it, such as `"AccountInUse"` or `{ InstructionError: [0, { Custom: 6000 }] }`. */
export type TransactionError = string | { readonly [kind: string]: unknown };

/** An error of LiteSVM as the RPC writes it. Its enums exist in its types only, so their names stand here, in their order. */
export function transactionError(error: LiteSvmError): TransactionError {
  if (typeof error === 'number') return TRANSACTION_ERRORS[error] ?? `Unknown${error}`;
  if ('err' in error) {
    const inner = error.err();
    return { InstructionError: [error.index, instructionError(inner)] };
  }
  const kind = error.constructor.name.replace('TransactionError', '');
  return 'index' in error
    ? { DuplicateInstruction: error.index }
    : { [kind]: { account_index: error.accountIndex } };
}

function instructionError(
  inner: number | { readonly code: number } | { readonly msg: string },
): unknown {
  if (typeof inner === 'number') return INSTRUCTION_ERRORS[inner] ?? `Unknown${inner}`;
  return 'code' in inner ? { Custom: inner.code } : { BorshIoError: inner.msg };
}

/** The error in a sentence. Clients read the custom code out of exactly these words. */
export function transactionErrorText(error: TransactionError): string {
  const instruction = typeof error === 'string' ? undefined : error['InstructionError'];
  if (Array.isArray(instruction)) {
    const [index, inner] = instruction as [number, { Custom?: number } | string];
    const code = typeof inner === 'string' ? undefined : inner.Custom;
    if (code !== undefined)
      return `Error processing Instruction ${index}: custom program error: 0x${code.toString(16)}`;
  }
  return getSolanaErrorFromTransactionError(error).message;
}

const TRANSACTION_ERRORS = [
  ...['AccountInUse', 'AccountLoadedTwice', 'AccountNotFound', 'ProgramAccountNotFound'],
  ...['InsufficientFundsForFee', 'InvalidAccountForFee', 'AlreadyProcessed', 'BlockhashNotFound'],
  ...['CallChainTooDeep', 'MissingSignatureForFee', 'InvalidAccountIndex', 'SignatureFailure'],
  ...['InvalidProgramForExecution', 'SanitizeFailure', 'ClusterMaintenance'],
  ...['AccountBorrowOutstanding', 'WouldExceedMaxBlockCostLimit', 'UnsupportedVersion'],
  ...[
    'InvalidWritableAccount',
    'WouldExceedMaxAccountCostLimit',
    'WouldExceedAccountDataBlockLimit',
  ],
  ...['TooManyAccountLocks', 'AddressLookupTableNotFound', 'InvalidAddressLookupTableOwner'],
  ...[
    'InvalidAddressLookupTableData',
    'InvalidAddressLookupTableIndex',
    'InvalidRentPayingAccount',
  ],
  ...['WouldExceedMaxVoteCostLimit', 'WouldExceedAccountDataTotalLimit'],
  ...['MaxLoadedAccountsDataSizeExceeded', 'ResanitizationNeeded'],
  ...['InvalidLoadedAccountsDataSizeLimit', 'UnbalancedTransaction', 'ProgramCacheHitMaxLimit'],
  'CommitCancelled',
];

const INSTRUCTION_ERRORS = [
  ...['GenericError', 'InvalidArgument', 'InvalidInstructionData', 'InvalidAccountData'],
  ...['AccountDataTooSmall', 'InsufficientFunds', 'IncorrectProgramId', 'MissingRequiredSignature'],
  ...['AccountAlreadyInitialized', 'UninitializedAccount', 'UnbalancedInstruction'],
  ...['ModifiedProgramId', 'ExternalAccountLamportSpend', 'ExternalAccountDataModified'],
  ...['ReadonlyLamportChange', 'ReadonlyDataModified', 'DuplicateAccountIndex'],
  ...['ExecutableModified', 'RentEpochModified', 'NotEnoughAccountKeys', 'AccountDataSizeChanged'],
  ...['AccountNotExecutable', 'AccountBorrowFailed', 'AccountBorrowOutstanding'],
  ...['DuplicateAccountOutOfSync', 'InvalidError', 'ExecutableDataModified'],
  ...['ExecutableLamportChange', 'ExecutableAccountNotRentExempt', 'UnsupportedProgramId'],
  ...['CallDepth', 'MissingAccount', 'ReentrancyNotAllowed', 'MaxSeedLengthExceeded'],
  ...['InvalidSeeds', 'InvalidRealloc', 'ComputationalBudgetExceeded', 'PrivilegeEscalation'],
  ...['ProgramEnvironmentSetupFailure', 'ProgramFailedToComplete', 'ProgramFailedToCompile'],
  ...['Immutable', 'IncorrectAuthority', 'AccountNotRentExempt', 'InvalidAccountOwner'],
  ...['ArithmeticOverflow', 'UnsupportedSysvar', 'IllegalOwner'],
  ...['MaxAccountsDataAllocationsExceeded', 'MaxAccountsExceeded'],
  ...[
    'MaxInstructionTraceLengthExceeded',
    'BuiltinProgramsMustConsumeComputeUnits',
    'BorshIoError',
  ],
];
