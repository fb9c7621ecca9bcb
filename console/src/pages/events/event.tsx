import { PageHead } from '../../parts/page-head.js';

export default function EventPage() {
  return <PageHead title="EventPage" />;
}
