/** The budget has ended in the middle of a question. */
export class BudgetSpent extends Error {}
