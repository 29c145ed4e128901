import type { NextConfig } from 'next';

const config: NextConfig = {
  // One copy of the package for all bundles. It works without this line too: then there are several, and one client.
  serverExternalPackages: ['target-node-sdk'],
  poweredByHeader: false,
};

export default config;
