import { Button, type ButtonProps, Tooltip } from '@mantine/core';
import type { MouseEventHandler } from 'react';
import { useMay } from '../api/session.js';
import { SHOWN } from '../words/shown-words.js';
import { useWords } from '../words/words.js';

/** A button for operators. Viewers see it too, that it is off, and why. */
export function OperatorButton({
  onClick,
  label,
  ...props
}: ButtonProps & { readonly onClick: MouseEventHandler<HTMLButtonElement>; readonly label?: string }) {
  const w = useWords(SHOWN);
  const may = useMay('operator');
  return (
    <Tooltip label={w.needsOperator} disabled={may}>
      <Button
        {...props}
        {...(label === undefined ? {} : { 'aria-label': label })}
        // Not `disabled`: then neither the pointer nor the keyboard would come to the reason.
        {...(may ? {} : { 'data-disabled': true, 'aria-disabled': true })}
        onClick={(click) => {
          click.stopPropagation();
          if (may) onClick(click);
        }}
      />
    </Tooltip>
  );
}
