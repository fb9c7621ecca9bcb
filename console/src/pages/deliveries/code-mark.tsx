import { Code, Text } from '@mantine/core';
import { useLanguage } from '../../words/words.js';
import { codeWords } from './code-words.js';

/** What a code means in words, and the code beside it. */
export function CodeMark({ code }: { readonly code: string }) {
  const { language } = useLanguage();
  const words = codeWords(code, language);
  return (
    <Text span inherit style={{ overflowWrap: 'anywhere' }}>
      {words !== null && `${words} `}
      <Code>{code}</Code>
    </Text>
  );
}
