import { MemoryTransactionsStore } from './testing/memory-transactions.store.js';
import { describeTransactionsStore } from './testing/transactions.store.contract.js';

describeTransactionsStore('transactions in memory', () => new MemoryTransactionsStore());
