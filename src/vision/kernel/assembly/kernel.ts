export { beginRows, griddedRows, packColumns, resizedRows } from './bilinear';
export { beginSquare, endSquare, packTaps, squareRows } from './bicubic';
export { blacken, fill, lit, splitRows } from './plain';

/** Memory below is the module's own. */
export const heapBase: usize = __heap_base;
