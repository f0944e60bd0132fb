// Waits that end when something happened: whoever changes what others wait for rings.
export class Bell {
  private readonly listeners = new Set<() => void>();

  ring(): void {
    for (const listener of this.listeners) listener();
  }

  /** Until isOver() holds, asked now and at each ring, or ms at the most (null: however long). */
  wait(ms: number | null, isOver: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.listeners.delete(listener);
        resolve();
      };
      const listener = () => {
        if (isOver()) done();
      };
      const timer = ms === null ? undefined : setTimeout(done, ms);
      this.listeners.add(listener);
      listener();
    });
  }
}
