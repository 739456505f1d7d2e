import { readFileSync } from 'node:fs';
import { COST_PAGE, withCostTables } from '../../scripts/cost-tables.ts';

const page = readFileSync(COST_PAGE, 'utf8');

test('the tables of docs/cost.md are what core/work/cost.ts and core/plan/offers.ts compute', () => {
  expect([...page.matchAll(/<!-- table: /g)]).toHaveLength(6);
  expect(page).toBe(withCostTables(page)); // otherwise: npm run docs:cost
});

test('a figure that was changed by hand does not stay', () => {
  expect(withCostTables(page.replace('$2.70', '$1.70'))).toBe(page);
});

test('a table that nobody computes is an error', () => {
  expect(() => withCostTables('<!-- table: wishes -->\n<!-- end -->')).toThrow('wishes');
});
