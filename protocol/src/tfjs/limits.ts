/** Text of a layers model, resolved or as submitted. A 256-layer network needs about 150 kB. */
export const MAX_TOPOLOGY_BYTES = 256 * 1024;
/** More layers than any network that a CPU trains in a day. */
export const MAX_LAYERS = 256;
/** 100 MB of weights; with Adam a checkpoint is three times that, and it is sent after every segment. */
export const MAX_PARAMETERS = 25_000_000;
/** Values that one step keeps alive (forward pass of a whole batch): 1 GiB, half of what a 4 GiB child can spare. */
export const MAX_STEP_VALUES = 256 * 1024 * 1024;
/** A batch beyond this gains nothing on a CPU and only costs memory. */
export const MAX_BATCH_SIZE = 8_192;
/** Beyond this nobody trains by accident; keeps `epochs × steps` far inside the integers. */
export const MAX_EPOCHS = 10_000;
/** Tasks one job may become: each is a row, a lease and a receipt. */
export const MAX_SEGMENTS = 1_000;
/** Rows of a data set; the order of an epoch is one array of this length. */
export const MAX_ROWS = 5_000_000;
/** Columns of a table or values of one row. */
export const MAX_ROW_VALUES = 1_048_576;
/** Values of a decoded array: 512 MiB as float32. */
export const MAX_TABLE_VALUES = 128 * 1024 * 1024;
/** A CSV file is decoded in one piece. */
export const MAX_CSV_BYTES = 256 * 1024 * 1024;
export const MAX_CSV_COLUMNS = 16_384;
/** No number and no sensible column name is longer. */
export const MAX_CSV_FIELD_BYTES = 256;
/** An NPY file is decoded in one piece. */
export const MAX_NPY_BYTES = 1024 * 1024 * 1024;
/** NumPy pads headers to a multiple of 64; a plain array's header is 128 bytes. */
export const MAX_NPY_HEADER_BYTES = 4_096;
/** Rows, height, width, channels and one to spare. */
export const MAX_RANK = 6;
export const MAX_CLASSES = 10_000;
/** Tensors of a checkpoint: layers × weights per layer × optimizer slots. */
export const MAX_CHECKPOINT_TENSORS = 8_192;
export const MAX_CHECKPOINT_BYTES = 512 * 1024 * 1024;
export const MAX_METRICS = 16;
/** Names of layers, tensors, arrays and columns. */
export const MAX_NAME_LENGTH = 128;
/** Rows of the validation part that are looked at after a segment that is not the last. */
export const VALIDATION_ROWS_PER_SEGMENT = 2_048;
