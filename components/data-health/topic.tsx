import { Clamped } from "./clamped.tsx";
import css from "./data-health.module.css";

/** A topic that breaks between its steps, and within one only where that alone is too long; of a long one its first two lines. */
export const Topic = ({ topic }: { topic: string }) => (
  <span className={`${css.mono} ${css.topic}`}>
    <Clamped text={topic}>
      {topic.split("/").map((step, i, steps) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: steps have no other identity than their place
        <span key={i} className={css.step}>
          {i < steps.length - 1 ? `${step}/` : step}
        </span>
      ))}
    </Clamped>
  </span>
);
