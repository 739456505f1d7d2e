// A failed expectation that says what to do.

/** Runs expectations; where one fails, the advice stands above what it says. */
export function otherwise(advice: string, expectations: () => void): void {
  try {
    expectations();
  } catch (error) {
    if (error instanceof Error) error.message = `${advice}\n\n${error.message}`;
    throw error;
  }
}
