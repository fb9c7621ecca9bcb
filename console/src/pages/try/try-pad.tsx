import { PageHead } from '../../parts/page-head.js';

export default function TryPad() {
  return <PageHead title="TryPad" />;
}
