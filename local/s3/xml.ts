// S3's XML, both ways.

import { XMLBuilder, XMLParser } from 'fast-xml-parser';
import * as z from 'zod';
import { S3Error } from './errors.ts';

export type XmlContent = { [element: string]: XmlValue };
type XmlValue = string | number | boolean | undefined | XmlContent | XmlValue[];

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

const LISTS = new Set([
  'Part',
  'Object',
  'CORSRule',
  'AllowedOrigin',
  'AllowedMethod',
  'AllowedHeader',
  'ExposeHeader',
]);

const parser = new XMLParser({
  parseTagValue: false, // a key `007` is text
  trimValues: false, // and ` a ` is not `a`
  htmlEntities: true, // without it `&#10;` stays as it is
  isArray: (name) => LISTS.has(name),
});

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  processEntities: false, // its own list leaves out \r, which would be read as \n
  tagValueProcessor: (_name, value) =>
    String(value).replace(/[&<>\r]/g, (character) => `&#${character.charCodeAt(0)};`),
});

export function renderXml(root: string, content: XmlContent): string {
  const attributes = root === 'Error' ? {} : { '@xmlns': NAMESPACE };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build({ [root]: { ...attributes, ...content } })}`;
}

/** The content of the document's `root` element, if it has the given shape; otherwise MalformedXML. */
export function parseXml<Shape extends z.ZodType>(text: string, root: string, shape: Shape): z.output<Shape> {
  let document: unknown;
  try {
    document = parser.parse(text, true);
  } catch {
    throw new S3Error('MalformedXML');
  }
  const parsed = z.object({ [root]: shape }).safeParse(document);
  if (!parsed.success) throw new S3Error('MalformedXML');
  return parsed.data[root] as z.output<Shape>;
}
