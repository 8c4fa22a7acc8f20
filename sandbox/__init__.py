"""Simulators of the outside services. Imports none of the product's code: it is written from the services' public contracts."""
