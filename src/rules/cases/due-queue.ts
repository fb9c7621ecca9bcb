/** Something that is due. Of equal times the lower rank comes first, then the lower number. */
interface Due<Item> {
  readonly at: number;
  readonly rank: number;
  readonly number: number;
  readonly item: Item;
}

/** A binary heap by time; of what is equal in all, in the order of adding. */
export class DueQueue<Item> {
  private readonly heap: (Due<Item> & { readonly seq: number })[] = [];
  private seq = 0;

  /** `at` in ms. */
  add(at: number, item: Item, rank = 0, number = 0): void {
    const { heap } = this;
    heap.push({ at, rank, number, seq: (this.seq += 1), item });
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!this.isBefore(child, parent)) return;
      this.swap(child, parent);
      child = parent;
    }
  }

  /** What comes first, if it is due until a time (ms); it is no longer in the queue then. */
  take(until: number): { readonly at: number; readonly item: Item } | null {
    const { heap } = this;
    const [first] = heap;
    if (!first || first.at > until) return null;
    const last = heap.pop();
    if (heap.length > 0 && last) {
      heap[0] = last;
      for (let parent = 0; ;) {
        let least = parent;
        for (const child of [2 * parent + 1, 2 * parent + 2])
          if (child < heap.length && this.isBefore(child, least)) least = child;
        if (least === parent) break;
        this.swap(parent, least);
        parent = least;
      }
    }
    return first;
  }

  private isBefore(a: number, b: number): boolean {
    const [one, other] = [this.heap[a], this.heap[b]];
    if (!one || !other) return false;
    return (
      (one.at - other.at || one.rank - other.rank || one.number - other.number || one.seq - other.seq) < 0
    );
  }

  private swap(a: number, b: number): void {
    const { heap } = this;
    const [one, other] = [heap[a], heap[b]];
    if (!one || !other) return;
    heap[a] = other;
    heap[b] = one;
  }
}
