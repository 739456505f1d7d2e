// Which pages of other origins may use a bucket, as its owner set it (AWS, "CORS configuration"; Fetch standard).

export interface CorsRule {
  allowedOrigins: string[];
  allowedMethods: string[];
  allowedHeaders: string[];
  exposeHeaders: string[];
  maxAgeSeconds?: number | undefined;
}

export interface CorsQuestion {
  origin: string;
  method: string;
  /** Those a preflight asks about. */
  headers: readonly string[];
}

/** The headers that allow it, by the first rule that does; undefined if none does. */
export function corsHeaders(
  rules: readonly CorsRule[],
  { origin, method, headers }: CorsQuestion,
): Record<string, string> | undefined {
  for (const rule of rules) {
    const allowed = rule.allowedOrigins.find((pattern) => matches(pattern, origin));
    if (allowed === undefined || !rule.allowedMethods.includes(method)) continue;
    if (!headers.every((name) => rule.allowedHeaders.some((pattern) => matches(pattern, name)))) continue;
    return {
      'access-control-allow-origin': allowed === '*' ? '*' : origin,
      'access-control-allow-methods': rule.allowedMethods.join(', '),
      ...(allowed === '*' ? {} : { 'access-control-allow-credentials': 'true' }),
      ...(headers.length > 0 ? { 'access-control-allow-headers': headers.join(', ') } : {}),
      ...(rule.exposeHeaders.length > 0
        ? { 'access-control-expose-headers': rule.exposeHeaders.join(', ') }
        : {}),
      ...(rule.maxAgeSeconds === undefined ? {} : { 'access-control-max-age': String(rule.maxAgeSeconds) }),
      vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
    };
  }
  return undefined;
}

// A pattern may hold one `*`, for any run of characters.
function matches(pattern: string, text: string): boolean {
  const [start = '', end] = pattern.toLowerCase().split('*');
  const lower = text.toLowerCase();
  if (end === undefined) return lower === start;
  return lower.length >= start.length + end.length && lower.startsWith(start) && lower.endsWith(end);
}
