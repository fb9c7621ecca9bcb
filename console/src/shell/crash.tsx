import { Component, type ReactNode } from 'react';
import { Problem } from '../parts/problem.js';

/** A page that cannot be shown takes nothing else with it. */
export class Crash extends Component<{ readonly children: ReactNode }, { readonly error: unknown }> {
  override state: { readonly error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return (
      <Problem
        error={this.state.error}
        retry={() => {
          this.setState({ error: null });
        }}
      />
    );
  }
}
