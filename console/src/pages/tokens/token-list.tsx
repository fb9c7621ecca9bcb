import { PageHead } from '../../parts/page-head.js';

export default function TokenList() {
  return <PageHead title="TokenList" />;
}
