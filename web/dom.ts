// Elements without a framework: `h` makes them, `fill` changes a place in the document until it equals them.

export type Attributes = Record<string, string | number | boolean | undefined>;
export type Child = Node | string | false | undefined;

/** `true` sets an attribute without a value; `false` and undefined leave it away. */
export function h(tag: string, attributes: Attributes = {}, ...children: Child[]): HTMLElement {
  return build(document.createElement(tag), attributes, children);
}

const SVG = 'http://www.w3.org/2000/svg';

/** A symbol of the sprite in index.html. Decoration: what it means is said in words beside it. */
export function icon(name: string): SVGElement {
  const use = build(document.createElementNS(SVG, 'use'), { href: `#icon-${name}` }, []);
  return build(document.createElementNS(SVG, 'svg'), { class: 'icon', 'aria-hidden': 'true' }, [use]);
}

function build<T extends Element>(element: T, attributes: Attributes, children: Child[]): T {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined)
      element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter(isPresent));
  return element;
}

const isPresent = (child: Child): child is Node | string => child !== false && child !== undefined;

/**
 * Elements that are already there stay there, and keep focus and scroll position. In lists, `data-key` says which is
 * which. Listeners are not carried over: there is one for the whole document, and `data-action` tells it what to do.
 */
export function fill(place: Element, ...children: Child[]): void {
  const wanted = document.createDocumentFragment();
  wanted.append(...children.filter(isPresent));
  matchChildren(place, [...wanted.childNodes]);
}

function matchChildren(place: Element, wanted: ChildNode[]): void {
  const keys = new Set(wanted.map(keyOf).filter((key) => key !== undefined));
  const keyed = new Map<string, ChildNode>();
  for (const child of [...place.childNodes]) {
    const key = keyOf(child);
    if (key === undefined) continue;
    if (keys.has(key)) keyed.set(key, child);
    else child.remove(); // first, so that what stays need not be moved
  }
  let next = place.firstChild;
  for (const node of wanted) {
    const key = keyOf(node);
    const match = key === undefined ? next : keyed.get(key);
    if (match && keyOf(match) === key && match.nodeName === node.nodeName) {
      if (match === next) next = next.nextSibling;
      else place.insertBefore(match, next);
      matchNode(match, node);
    } else {
      place.insertBefore(node, next);
    }
  }
  while (next) {
    const rest = next.nextSibling;
    next.remove();
    next = rest;
  }
}

function matchNode(node: ChildNode, wanted: ChildNode): void {
  if (!(node instanceof Element) || !(wanted instanceof Element)) {
    if (node.nodeValue !== wanted.nodeValue) node.nodeValue = wanted.nodeValue;
    return;
  }
  for (const { name } of [...node.attributes]) {
    // What somebody has unfolded stays so.
    const isTheirs = name === 'open' && node instanceof HTMLDetailsElement;
    if (!wanted.hasAttribute(name) && !isTheirs) node.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  matchChildren(node, [...wanted.childNodes]);
}

const keyOf = (node: Node): string | undefined =>
  node instanceof HTMLElement ? node.dataset['key'] : undefined;
