/** Nearest integer, ties to the even one (Python's `round`). */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Rounds the exact binary value to a number of decimals, ties to even (Python's `round(x, n)`): 65.625 gives 65.62. */
export function roundDecimals(x: number, decimals: number): number {
  // Halfway between two decimals x is a multiple of 2^-(decimals + 1), and x * 10^decimals is exact; elsewhere toFixed
  // rounds the exact value correctly, but a tie away from zero.
  const scaled = x * 10 ** decimals;
  const tie = Number.isInteger(x * 2 ** (decimals + 1)) && Math.abs(scaled) < 2 ** 50 && Math.abs(scaled % 1) === 0.5;
  return tie ? roundHalfEven(scaled) / 10 ** decimals : Number(x.toFixed(decimals));
}
