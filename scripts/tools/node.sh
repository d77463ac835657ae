# The packages of a folder's package-lock.json. The network is needed only when
# they are not there yet, or others were asked for since.

node_packages() {
    for folder; do
        installed=$folder/node_modules/.lock
        cmp -s "$folder/package-lock.json" "$installed" && continue
        say "npm ci in $folder"
        (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error >&2) ||
            die "npm could not install what $folder/package-lock.json names; its own words are above." \
                "The first run needs the network. Behind a proxy of its own certificate set NODE_EXTRA_CA_CERTS."
        cp "$folder/package-lock.json" "$installed"
    done
}
