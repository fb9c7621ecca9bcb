import { PageHead } from '../../parts/page-head.js';

export default function EventList() {
  return <PageHead title="EventList" />;
}
