'use strict';

const { spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const { existsSync, mkdirSync, writeFileSync } = require('node:fs');
const { homedir } = require('node:os');
const { join } = require('node:path');
const manifest = require('./clients.json');

/** Outside the repository, so that neither jest nor lint looks into it. */
const cache = process.env.CLIENTS_CACHE ?? join(homedir(), '.cache', 'express-salesforce-auth', 'clients');

/** The folder a client is installed in. Another version has another folder. */
function folderOf(name) {
  const packages = packagesOf(name);
  const hash = createHash('sha256').update(JSON.stringify(packages)).digest('hex').slice(0, 12);
  return join(cache, `${name}-${hash}`);
}

/** The program that runs the clients: this Node if it is new enough for all of them, else one from npm. */
function nodePath() {
  return Number(process.versions.node.split('.')[0]) >= 22
    ? process.execPath
    : join(folderOf('node'), 'node_modules', nodePackage(), 'bin', 'node');
}

/** Installs what is not there yet. No script of a package is run. */
function installAll() {
  const names = Object.keys(manifest.clients);
  for (const name of nodePath() === process.execPath ? names : ['node', ...names]) install(name);
}

function install(name) {
  const folder = folderOf(name);
  if (existsSync(join(folder, 'installed'))) return;
  console.log(`Installing ${name} in ${folder}`);
  mkdirSync(folder, { recursive: true });
  const dependencies = packagesOf(name);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }, undefined, 2));
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) throw new Error(`npm could not install ${name}.`);
  writeFileSync(join(folder, 'installed'), '');
}

function packagesOf(name) {
  return name === 'node' ? { [nodePackage()]: manifest.node } : manifest.clients[name];
}

/** npm has each Node as a package for each system. */
function nodePackage() {
  return `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
}

module.exports = { folderOf, installAll, nodePath };
