// The few kinds of JSON Schema that the document is made of.

export type Schema = Record<string, unknown>;

export const text: Schema = { type: 'string' };
export const url: Schema = { type: 'string', format: 'uri' };
export const time: Schema = { type: 'string', format: 'date-time' };
export const bytes: Schema = { type: 'integer', minimum: 0 };
export const orNull = (schema: Schema): Schema => ({ ...schema, type: [schema['type'], 'null'] });
export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/** All properties are there unless named in `optional`. */
export const object = (properties: Record<string, Schema>, optional: string[] = []): Schema => ({
  type: 'object',
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});
