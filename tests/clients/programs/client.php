<?php
// PHP's curl extension: php client.php API SMALL OTHER URL
[, $api, $small, $other, $url] = $argv;

function post(string $kind, string $shape, $body, array $headers = []): void
{
    $curl = curl_init($shape);
    curl_setopt_array($curl, [
        CURLOPT_POST => true,
        CURLOPT_POSTFIELDS => $body,
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true,
    ]);
    echo $kind, "\t", trim(curl_exec($curl)), "\n";
}

$shape = "$api/shape";
$files = [new CURLFile($small, 'image/jpeg', 'a.jpg'), new CURLFile($other, 'image/jpeg', 'b.jpg')];
post('form', $shape, ['image[0]' => $files[0], 'image[1]' => $files[1], 'url' => $url]);
post('file', $shape, ['image' => $files[0]]);
post('url', $shape, http_build_query(['url' => $url]));
post('array', $shape, ['image[0]' => $files[0], 'image[1]' => $files[1]]);
$headers = ['Content-Type: image/jpeg', 'Content-Encoding: gzip'];
post('gzip', $shape, gzencode(file_get_contents($small)), $headers);
