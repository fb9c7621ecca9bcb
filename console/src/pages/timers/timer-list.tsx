import { PageHead } from '../../parts/page-head.js';

export default function TimerList() {
  return <PageHead title="TimerList" />;
}
